"""Learning with weak RESET: Majumdar et al. 2021, done again."""
