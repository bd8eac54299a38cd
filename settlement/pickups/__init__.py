"""How goods leave: docks and their slots, bookings, loading and signing, deliveries, charges."""
