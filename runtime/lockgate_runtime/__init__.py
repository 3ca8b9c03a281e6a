"""What generated files execute: the stages of a model's pipeline."""
