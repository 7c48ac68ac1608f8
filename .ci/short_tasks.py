"""A hook of Schemathesis: what may be asked for takes up to hours; what is asked for takes a second."""

import schemathesis

# What is allowed, and what is enough.
PARAMETERS = {
    "millis": (900_000, 1_000),
    "width": (8_192, 64),
    "height": (8_192, 64),
    "max_iterations": (1_000_000, 1_000),
}


@schemathesis.hook
def before_call(_context, case, _kwargs):
    if isinstance(case.body, dict):
        for name, (allowed, enough) in PARAMETERS.items():
            value = case.body.get(name)
            if isinstance(value, (int, float)) and enough < value <= allowed:
                case.body[name] = enough
