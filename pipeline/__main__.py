"""``python -m pipeline``."""

import sys

from pipeline.process.parents import die_with_parents

# Before anything is imported that takes seconds.
die_with_parents()

from pipeline.cli.main import main  # noqa: E402

sys.exit(main())
