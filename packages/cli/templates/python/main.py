"""What the host starts."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdk"))

from plugin import PLUGIN  # noqa: E402
from troupe_plugin import serve  # noqa: E402

serve(PLUGIN)
