"""A stateful stand-in for Stripe that speaks its HTTP, for tests. `server.FakeStripe` is the way in."""
