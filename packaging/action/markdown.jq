# A document of the program as Markdown, where the program has written none into the step's summary itself.
# Names that others wrote are text here: they can neither end a cell nor be a link, a mention or HTML.
def text: tostring | gsub("[\\x00-\\x1f]+"; " ") | gsub("&"; "&amp;") | gsub("<"; "&lt;") | gsub(">"; "&gt;")
    | gsub("@"; "@\u200b") | gsub("(?<c>[\\\\`*_|~#!$\\[\\]])"; "\\" + .c);
def row: "| " + join(" | ") + " |";
def table($head): [$head, ($head | map("---"))] + map(map(text)) | map(row) | join("\n");
def mark: {create: "+", update: "~", remove: "-", conflict: "!", not_checked: "?"}[.state // ""] // "";

[
    "### rdsproxy-setup \($command | text): exit code \($code)",
    (.error // empty | text),
    (.hints // empty | select(length > 0) | map("- " + text) | join("\n")),
    (.differences // empty | arrays | map([.entry, (.was | join("; ")), (.is | join("; "))]) | table(["Changed", "Was", "Is"])),
    (.plan // empty | arrays | map([mark, .step, .title, .subject, ((.details // []) + (.because // []) + [.variables[]? | "\(.function) \(.variable): \(.from) -> \(.to)"] | join("; "))])
        | table(["", "Step", "", "", "Details"])),
    (.changes // empty | arrays | select(length > 0) | map([.step, .detail]) | table(["Step", "Changed"])),
    (.pending // empty | arrays | select(length > 0) | map([.step, .slug, .state]) | table(["Step", "Not waited for", ""])),
    (.stacks // empty | arrays | map([.database, .proxy, (if has("in_place") then (if .in_place then "in place" else "drift, or unhealthy" end) else .status // "" end)])
        | table(["Database", "Proxy", "State"])),
    (.findings // empty | arrays | select(length > 0)
        | map([.id, .severity, .cause, (.fix | join(" "))]) | table(["Finding", "", "", "Fix"])),
    (if .endpoint? then "Endpoint: " + (.endpoint | text) else empty end)
] | join("\n\n")
