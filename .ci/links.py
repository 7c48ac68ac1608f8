"""Follows the links of every Markdown file: files and anchors have to be there.

    python3 .ci/links.py               # within the repository, as .ci/run does
    python3 .ci/links.py --external    # other people's sites as well: they may be down, and no change of ours is to blame
"""

import re
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# [text](target), ![text](target), [name]: target, and what HTML has in Markdown.
LINKS = re.compile(r"\]\(\s*<?([^)\s>]+)|^\s*\[[^\]]+\]:\s*(\S+)|(?:href|src|srcset)=\"([^\"]+)\"", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


def documents():
    """What is tracked, or would be."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [ROOT / name for name in sorted(set(names)) if (ROOT / name).exists()]


def prose(text):
    """Without code, in which nothing is a link and no # a heading."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<=\n\n)(?: {4,}.*\n)+", "", text)


def anchors(path):
    """The anchors that GitHub makes of headings: lower case, without punctuation, hyphens for spaces, repeated ones
    numbered."""
    seen = {}
    for heading in HEADING.findall(prose(path.read_text())):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        count = seen[slug] = seen.get(slug, -1) + 1
        yield f"{slug}-{count}" if count else slug


def fault(path, target):
    """What is wrong with a link within the repository."""
    name, _, anchor = target.partition("#")
    file = (path.parent / name).resolve() if name else path
    if not file.is_relative_to(ROOT):
        return "leads out of the repository"
    if not file.exists():
        return "there is no such file"
    if anchor and file.suffix == ".md" and anchor not in anchors(file):
        return "there is no such heading"
    return None


def external_fault(url):
    """What a site answers, where that is no document."""
    request = urllib.request.Request(url.partition("#")[0], headers={"user-agent": "Mozilla/5.0"})
    try:
        urllib.request.urlopen(request, timeout=20).close()
    except OSError as error:
        return str(error)
    return None


def main():
    with_external = "--external" in sys.argv[1:]
    looked_at, faults = 0, []
    for path in documents():
        text = re.sub(r"`[^`\n]+`", "code", prose(path.read_text()))
        for target in ("".join(match) for match in LINKS.findall(text)):
            if re.match(r"https?:", target):
                found = external_fault(target) if with_external else None
            else:
                found = fault(path, target)
            looked_at += 1
            if found:
                faults.append(f"{path.relative_to(ROOT)}: {target}: {found}")
    print(f"{looked_at} links", *faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
