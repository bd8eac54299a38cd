"""The life of an invoice's payment: how it is collected, and how money goes back."""
