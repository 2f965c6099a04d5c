"""People: signing in, one's own account, and the accounts that agents and administrators look after."""
