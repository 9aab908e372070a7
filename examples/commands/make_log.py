# SPDX-License-Identifier: Apache-2.0
"""So many lines of a web server's log, the same at every call: make_log.py LINES > access.log"""

import random
import sys

_AGENTS = ["Mozilla/5.0 (X11; Linux x86_64)", "curl/7.88.1", "Googlebot/2.1"]
_PAGES = ["index", "search", "images", "about", "login", "help"]

choose = random.Random(1)
for second in range(int(sys.argv[1])):
    address = ".".join(str(choose.randrange(256)) for _ in range(4))
    time = f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"
    page = f"/{choose.choice(_PAGES)}/{choose.randrange(1000)}"
    print(f'{address} - - [24/Nov/2026:{time} +0000] "GET {page} HTTP/1.1" '
          f'{choose.choice([200, 200, 200, 304, 404])} {choose.randrange(20000)} "-" '
          f'"{choose.choice(_AGENTS)}"')
