"""The commands of `lab`, one file a group. Heavy imports happen inside the commands."""
