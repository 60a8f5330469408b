"""Lists of the vendor's program: such as cannot be trusted, and sound ones."""

from __future__ import annotations

BAD_LISTS = {
    "fewer": b'{"category": "orders", "id": "a"}\n',
    "no_object": b'\n{"category": "orders", "id": "a", "date": "2027-05-01"}\n["orders"]\n',
    "list_of_one": b'[{"category": "orders", "id": "a", "date": "2027-05-01"}]\n',
    "null": b"null\n",
    "cut_off": b'{"category": "orders", "id": "a", "date": "2027-05-01"}\n{"category": "orders", "id": "b", "da',
    "two_in_a_line": b'{"category": "orders", "id": "a"}, {"category": "orders", "id": "b"}\n',
    "number": b'{"category": "orders", "id": 17, "date": "2027-05-01"}\n',
    "capitals": b'{"category": "orders", "ID": "a", "date": "2027-05-01"}\n',
    "category": b'{"category": "Orders", "id": "a", "date": "2027-05-01"}\n',
    "id": '{"category": "orders", "id": "bestilling æ", "date": "2027-05-01"}\n'.encode(),
    "kelvin": '{"category": "orders", "id": "\u212a", "date": "2027-05-01"}\n'.encode(),
    "long": b'{"category": "orders", "id": "' + b"a" * 65 + b'", "date": "2027-05-01"}\n',
    "empty": b'{"category": "orders", "id": "", "date": "2027-05-01"}\n',
    "number_of_a_person": b'{"category": "orders", "id": "01010112345", "date": "2027-05-01"}\n',
    "number_within": b'{"category": "orders", "id": "p-01010112345.2", "date": "2027-05-01"}\n',
    "date": b'{"category": "orders", "id": "a", "date": "2027-02-29"}\n',
    "moment": b'{"category": "orders", "id": "a", "date": "2027-05-01T08:00:00Z"}\n',
    "utf8": b'{"category": "orders", "id": "\xff", "date": "2027-05-01"}\n',
    "order_too_old": b'{"category": "orders", "id": "a", "date": "2026-05-09"}\n',
    "order_ahead": b'{"category": "orders", "id": "a", "date": "2027-05-11"}\n',
    "requisition_behind": b'{"category": "started_requisitions", "id": "a", "date": "2027-05-09"}\n',
}
GOOD_LISTS = {
    "nothing": b"",
    "blank_lines_and_a_mark": b'\xef\xbb\xbf\r\n{"category": "orders", "id": "a", "date": "2026-05-10"}\r\n \n',
    "edges": b'{"category": "orders", "id": "a", "date": "2027-05-10", "more": {"id": "b"}}\n'
    b'{"date": "2027-05-10", "id": "A:b_c.d-1", "category": "started_requisitions"}\n'
    b'{"category": "favourite_packages", "id": "2027-05-10T07:00:00Z", "date": "1999-12-31"}\n',
    "twice": b'{"category": "orders", "id": "a", "date": "2027-05-10"}\n' * 2,
    "twelve_digits_and_a_uuid": b'{"category": "orders", "id": "123456789012", "date": "2027-05-10"}\n'
    b'{"category": "orders", "id": "6f0c2a5e-1b7d-4c3a-9e21-a12345678901", "date": "2027-05-10"}\n',
    "a_moment_as_id": b'{"category": "orders", "id": "2027-05-10T07:00:00Z", "date": "2027-05-10"}\n',
}
