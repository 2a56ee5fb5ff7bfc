"""What everybody talks about: units, pulses, addresses, limits, records, ports and errors.

The lowest layer. It knows no instrument, no database, no torch; everything above may import it.
"""
