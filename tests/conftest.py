"""What all tests share: reproducible random cases, and the directory of the common strategies on the path."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))

# derandomize: the same cases on every run; deadline: a busy machine is no fault of the code.
settings.register_profile(
    "bptt", derandomize=True, deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("bptt")
