"""What settlement relies on at Stripe: one suite, over the simulator and over Stripe itself."""
