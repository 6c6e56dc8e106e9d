"""An agent that dies before it has said a word."""
import sys

print("crashing: the model is not there", file=sys.stderr)
sys.exit(3)
