"""`python -m bptt` is the `bptt` command."""

import sys

from bptt.cli.main import main

sys.exit(main())
