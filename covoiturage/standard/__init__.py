"""Standard: what carpool operators say to one another, as the standard-covoiturage contract has it."""
