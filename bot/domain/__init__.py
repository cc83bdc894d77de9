"""What is true: incidents, findings, addresses, verdicts, blocks. No input or output, standard library only."""
