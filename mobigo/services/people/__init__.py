"""People: who comes in, as whom, and what they may do; accounts, roles, and ways in.

`principal` answers who somebody is on each request, `signing` lets them in and out, `accounts` is
what they do with their own account, `api_keys` what they let programs do, `administration` what
agents and administrators do with the accounts of others, `commands` the same at the machine,
`outside` a sign-in by an OpenID Connect provider, `messages` the letters with codes, `fictitious`
the accounts of the demonstration.
"""
