"""From records to intervals, fits, defect maps and populations."""
