"""What follows when a lot that was sold is not bought after all: not paid, or cancelled.

A buyer that does not pay is penalised and suspended. Its lots go to the runner-up, if the seller
consents and the runner-up takes them, and otherwise back into the seller's stock. What is cancelled
after the hammer is credited or refunded, and costs its seller a fee.
"""
