"""`python -m sample_agent`."""

from sample_agent.commands import main

main()
