"""Asks one of our processes how it is: exit code 0 when it answers 200, else 1 and what it answered. For images, which have no curl."""

import sys
import urllib.error
import urllib.request

TIMEOUT_S = 4

try:
    with urllib.request.urlopen(sys.argv[1], timeout=TIMEOUT_S) as answer:
        answer.read()
except urllib.error.HTTPError as error:
    sys.exit(f"{sys.argv[1]}: {error.code} {error.read(2000).decode('utf-8', 'replace')}")
except OSError as error:
    sys.exit(f"{sys.argv[1]}: {error}")
