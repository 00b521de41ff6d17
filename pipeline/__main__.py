"""``python -m pipeline``."""

import os
import sys

from pipeline.process.parents import die_with_parents

# Before anything is imported that takes seconds.
die_with_parents()
# Settings are read without plugins: to look for some in every installed package takes a tenth of a short stage's start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from pipeline.cli.main import main  # noqa: E402

sys.exit(main())
