"""The pages people may read here: the API's documentation, and the problems.

No script, no third party; each page carries its style sheet, which its content policy names by hash.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from flask import Response
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from screening.api.problems import ProblemType

_STYLE = """\
:root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 25%,transparent)}
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code,pre{font-family:ui-monospace,monospace;font-size:.9em}
code{overflow-wrap:anywhere}
pre{overflow-x:auto;border:1px solid var(--line);padding:.75rem}
h1,h2,h3{line-height:1.2}
h3{margin-block-start:2rem;border-block-start:1px solid var(--line);padding-block-start:1rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:start;vertical-align:top;padding:.25rem .75rem .25rem 0;border-block-end:1px solid var(--line)}
"""

_TEMPLATES = {
    "base": """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{% block title %}{% endblock %}</title>
<style>{{ style }}</style>
</head>
<body>
<main>
{% block main %}{% endblock %}
</main>
</body>
</html>
""",
    "docs": """\
{% extends "base" %}
{% block title %}{{ spec.info.title }} API{% endblock %}
{% macro parameters(operation) %}
{% if operation.parameters is defined %}
<table>
<thead><tr><th>Parameter</th><th>In</th><th>Needed</th><th>What</th></tr></thead>
<tbody>
{% for parameter in operation.parameters %}
<tr><td><code>{{ parameter.name }}</code></td><td>{{ parameter["in"] }}</td>
<td>{{ "yes" if parameter.get("required") else "no" }}</td><td><code>{{ parameter.schema | tojson }}</code></td></tr>
{% endfor %}
</tbody>
</table>
{% endif %}
{% endmacro %}
{% macro content(holder) %}
{% for kind, media in holder.items() %}
<p><code>{{ kind }}</code>{% if media.schema is defined %}:
{% if media.schema["$ref"] is defined %}{% set name = media.schema["$ref"].rpartition("/")[2] %}
<a href="#schema-{{ name }}">{{ name }}</a>{% else %}</p><pre>{{ media.schema | pretty }}</pre><p>{% endif %}
{% endif %}</p>
{% endfor %}
{% endmacro %}
{% block main %}
<h1>{{ spec.info.title }} API {{ spec.info.version }}</h1>
{% for paragraph in spec.info.description.strip().split("\n\n") %}<p>{{ paragraph | marked }}</p>{% endfor %}
<p><a href="/v1/openapi.json">OpenAPI 3.1 document</a></p>
<nav aria-label="Endpoints">
<ul>
{% for path, method, operation in operations %}
<li><a href="#{{ method }}{{ path }}"><code>{{ method | upper }} {{ path }}</code></a> {{ operation.summary }}</li>
{% endfor %}
</ul>
</nav>
<h2>Endpoints</h2>
{% for path, method, operation in operations %}
<section id="{{ method }}{{ path }}">
<h3><code>{{ method | upper }} {{ path }}</code></h3>
<p>{{ operation.summary }}</p>
{% if operation.description is defined %}<p>{{ operation.description | marked }}</p>{% endif %}
<p>Needs: {{ operation["x-needs"] }}.
{% if operation["x-event"] is defined %}
Leaves in the access log: {{ operation["x-event"] | join(" or ") }}.
{% endif %}</p>
{{ parameters(operation) }}
{% if operation.requestBody is defined %}<h4>Body</h4>{{ content(operation.requestBody.content) }}{% endif %}
<h4>Answers</h4>
{% for status, response in operation.responses.items() if response["$ref"] is not defined %}
<p>{{ status }} {{ response.description }}</p>
{% if response.content is defined %}{{ content(response.content) }}{% endif %}
{% endfor %}
</section>
{% endfor %}
<h2>Schemas</h2>
{% for name, schema in spec.components.schemas.items() %}
<section id="schema-{{ name }}"><h3>{{ name }}</h3><pre>{{ schema | pretty }}</pre></section>
{% endfor %}
<h2>Problems</h2>
<table>
<thead><tr><th>Type</th><th>Status</th><th>Title</th></tr></thead>
<tbody>
{% for problem in problems %}
<tr><td><a href="/problems/{{ problem.slug }}"><code>/problems/{{ problem.slug }}</code></a></td>
<td>{{ problem.status }}</td><td>{{ problem.title }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endblock %}
""",
    "problem": """\
{% extends "base" %}
{% block title %}{{ problem.title }}{% endblock %}
{% block main %}
<h1>{{ problem.title }}</h1>
<p>{{ problem.advice | marked }}</p>
<p>Type <code>/problems/{{ problem.slug }}</code>, HTTP status {{ problem.status }}.</p>
<p><a href="/v1/docs">All of the API</a></p>
{% endblock %}
""",
}

_METHODS = ("get", "post", "put", "delete")


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _marked(text: str) -> Markup:
    """Escapes a text, and shows what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 # escaped just before


_environment = Environment(loader=DictLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
_environment.filters["pretty"] = _pretty
_environment.filters["marked"] = _marked
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def docs_page(spec: Mapping[str, Any], problems: Mapping[str, ProblemType]) -> Response:
    """The API's documentation as a page.

    Args:
        spec: The OpenAPI document.
        problems: Every problem type.
    """
    operations = [
        (path, method, item[method]) for path, item in spec["paths"].items() for method in _METHODS if method in item
    ]
    return _page("docs", spec=spec, operations=operations, problems=problems.values())


def problem_page(problem: ProblemType) -> Response:
    """What a problem type means, as a page."""
    return _page("problem", problem=problem)


def _page(name: str, **values: object) -> Response:
    html = _environment.get_template(name).render(style=_STYLE, **values)
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    return response
