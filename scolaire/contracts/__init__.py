"""Contracts with carriers: prices, what is ordered and run, monthly statements, invoices, what a pupil costs."""
