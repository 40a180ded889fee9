"""What the detector lets others see of itself: metrics, logs, audit, the stack around it."""
