# SPDX-License-Identifier: MIT
"""Writes corpus/tzif: small files of zones and rules, good ones and hostile ones. python3 tests/fuzz/tzif_corpus.py"""

import pathlib
import struct

FOLDER = pathlib.Path(__file__).parent / "corpus" / "tzif"
BIG_BANG = -(1 << 59)


def header(version, transitions, types, letters, leaps=0, standard=0, ut=0):
    return b"TZif" + version + bytes(15) + struct.pack(">6I", ut, standard, leaps, transitions, types, letters)


def block(transitions, offsets, size, tail=b""):
    code = ">q" if size == 8 else ">i"
    times = b"".join(struct.pack(code, at) for at, _ in transitions)
    kinds = bytes(kind for _, kind in transitions)
    types = b"".join(struct.pack(">iBB", offset, 0, 0) for offset in offsets)
    return times + kinds + types + b"LMT\0" + tail


def zone(version, transitions, offsets, footer):
    empty = header(version, 0, 1, 4) + block([], [0], 4)
    return empty + header(version, len(transitions), len(offsets), 4) + block(transitions, offsets, 8) + b"\n" + footer + b"\n"


HALF_YEARS = [(1_000_000_000 + i * 15_778_476, i % 2) for i in range(12)]
FILES = {
    # good ones
    "version_1": header(b"\0", 3, 2, 4) + block([(1000, 1), (2000, 0), (3000, 1)], [0, 3600], 4),
    "version_2_fixed": zone(b"2", [], [5400], b"<+0130>-1:30"),
    "version_2_no_footer": zone(b"2", HALF_YEARS, [3600, 7200], b""),
    "version_2_rule": zone(b"2", HALF_YEARS, [3600, 7200], b"CET-1CEST,M3.5.0,M10.5.0/3"),
    "version_3_west": zone(b"3", [(0, 0)], [-7200], b"<-02>2<-01>,M3.5.0/-1,M10.5.0/0"),
    "version_3_for_ever": zone(b"3", [(0, 1)], [-18000, -14400], b"XXX3EDT4,0/0,J365/23"),
    "version_4_half_hour": zone(b"4", [(0, 0)], [37800], b"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"),
    "big_bang": zone(b"2", [(BIG_BANG, 0), (0, 1)], [100, 3600], b"AAA-1"),
    "julian_days": zone(b"2", [(0, 0)], [0], b"AAA0BBB,J60,300"),
    "a_day_left_out": zone(b"2", [(1_325_239_200, 1)], [-36000, 50400], b"<+14>-14"),
    # hostile ones
    "every_second": zone(b"2", [(1_700_000_000 + i, i % 2) for i in range(300)], [-89999, 93599], b"AAA0"),
    "staircase": zone(b"2", [(1_700_000_000 + 2 * i, i) for i in range(200)], [90000 - 900 * i for i in range(200)], b"AAA0"),
    "far_apart": zone(b"2", [(-(1 << 60), 0), (-(1 << 40), 1), (1 << 40, 0), (1 << 60, 1)], [0, 7200], b""),
    "late_rule": zone(b"2", [(0, 0), ((1 << 40) - 1, 1)], [0, 3600], b"AAA0BBB,M3.5.0,M10.5.0"),
    "early_rule": zone(b"2", [(BIG_BANG, 0)], [0], b"AAA0BBB,M3.5.0,M10.5.0"),
    "rule_crosses_years": zone(b"3", [(0, 0)], [0], b"AAA0BBB,J1/-167,J365/167"),
    "rule_on_one_day": zone(b"3", [(0, 0)], [0], b"AAA0BBB-24:59:59,J100/0,J100/1"),
    "rule_a_day_wide": zone(b"3", [(0, 0)], [-89999], b"AAA24:59:59BBB-24:59:59,M3.5.0,M10.5.0"),
    "empty": b"",
    "magic_only": b"TZif",
    "version_1_many": header(b"\0", 0x7FFFFFFF, 1, 4),
    "version_2_many": header(b"2", 0, 1, 4) + block([], [0], 4) + header(b"2", 0xFFFFFFFF, 1, 4),
    "many_letters": header(b"2", 0, 1, 0xFFFFFF00),
    "many_leaps": header(b"2", 0, 1, 4, leaps=5) + block([], [0], 4, bytes(40)),
    "leap_seconds": header(b"\0", 0, 1, 4, leaps=1) + block([], [0], 4, bytes(8)),
    "no_types": zone(b"2", [], [], b"AAA0"),
    "type_missing": zone(b"2", [(0, 9)], [0], b"AAA0"),
    "out_of_order": zone(b"2", [(5, 0), (5, 1)], [0, 60], b"AAA0"),
    "beyond_time": zone(b"2", [(1 << 62, 0)], [0], b"AAA0"),
    "offset_too_wide": zone(b"2", [], [93600], b"AAA0"),
    "version_9": zone(b"9", [], [0], b"AAA0"),
    "version_letter": zone(b"!", [], [0], b"AAA0"),
    "footer_no_rule": zone(b"2", [], [0], b"AAA0,,,"),
    "footer_cut": zone(b"2", [(0, 0)], [0], b"AAA0")[:-1],
    "body_cut": zone(b"2", HALF_YEARS, [3600, 7200], b"AAA0")[:140],
    # rules by themselves
    "rule_fixed": b"<-1130>11:30\n",
    "rule_united_states": b"EST5EDT\n",
    "rule_southern": b"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0\n",
    "rule_negative_saving": b"IST-1GMT0,M10.5.0,M3.5.0/1\n",
    "rule_same_instant": b"AAA0BBB,0/0,0/1\n",
    "rule_leap_day": b"AAA0BBB,59,J60\n",
    "rule_wide": b"AAA24:59:59BBB-24:59:59,0/-167,365/167\n",
    "rule_wrong": b"EST5EDT,M13.1.0,M1.1.0\n",
    "rule_unfinished": b"<EST5\n",
}

FOLDER.mkdir(parents=True, exist_ok=True)
for name, content in FILES.items():
    (FOLDER / name).write_bytes(content)
