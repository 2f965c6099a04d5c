"""Outbound: the only room that opens connections: HTTP, letters by mail and telephone, the process beside.

Sending twice does harm, so what is sent carries a key: as `Idempotency-Key`, as `Message-ID`,
as the name of a file.
"""
