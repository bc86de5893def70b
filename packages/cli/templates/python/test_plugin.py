"""What can be said of the plugin without a host: `python3 -m unittest`."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdk"))

from plugin import configure, no_rm  # noqa: E402
from troupe_plugin import GuardrailRejected, PluginError  # noqa: E402


class PluginTest(unittest.TestCase):
    def test_the_guardrail_refuses_by_name(self):
        self.assertIsNone(no_rm({"toolName": "ls"}, None))
        self.assertIn("rm", no_rm({"toolName": "rm"}, None))
        with self.assertRaises(GuardrailRejected):
            no_rm({"toolName": "mv"}, None)

    def test_a_configuration_is_an_object(self):
        configure({})
        with self.assertRaises(PluginError):
            configure([])


if __name__ == "__main__":
    unittest.main()
