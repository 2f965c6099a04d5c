"""People: who somebody is (sealed), what they may do, how they get in, and what was tried at the door.

Identity stands in `identity` alone, each value sealed for its row and column, with keyed
indexes to find it by. Every other table of Mobigo names people by pseudonym.
"""
