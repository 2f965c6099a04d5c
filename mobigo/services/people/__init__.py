"""People: who comes in, as whom, and what they may do; accounts, roles, and ways in.

`principal` answers who somebody is on each request, `signing` lets them in and out, `accounts` is
what they do with their own account, `administration` what agents and administrators do with those
of others, `oidc` a sign-in by another provider, `messages` the letters with codes.
"""
