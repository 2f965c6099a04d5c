"""`python -m mobigo` is the command `mobigo`."""

import sys

from mobigo.cli import main

sys.exit(main())
