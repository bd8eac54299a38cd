"""Money out: to sellers and consignors, by transfer or bank file, and to the house's own bank."""
