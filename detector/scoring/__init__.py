"""The forest, its calibration, its explanation."""
