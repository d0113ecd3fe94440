// SPDX-License-Identifier: Apache-2.0
/// One self-contained HTML page: no scripts, no files beside it, nothing fetched. It reads on a phone,
/// on a wide screen, in the dark and on paper.
package struct ReportPage {
  private let title: String
  private let subtitle: String
  private var body = ""

  /// - Parameters: texts as they are; they are escaped.
  package init(title: String, subtitle: String) {
    self.title = title
    self.subtitle = subtitle
  }

  package mutating func add(heading: String) { body += "<h2>\(Markup.escaped(heading))</h2>\n" }

  package mutating func add(paragraph: String) { body += "<p>\(Markup.escaped(paragraph))</p>\n" }

  /// A list of remarks.
  package mutating func add(notes: [String]) {
    guard !notes.isEmpty else { return }
    let items = notes.map { "<li>\(Markup.escaped($0))</li>" }.joined(separator: "\n")
    body += "<ul class=\"notes\">\n\(items)\n</ul>\n"
  }

  /// A number that matters, with its name and what surrounds it.
  package struct Figure {
    let name: String
    let value: String
    let note: String

    package init(name: String, value: String, note: String = "") {
      self.name = name
      self.value = value
      self.note = note
    }
  }

  package mutating func add(figures: [Figure]) {
    let cards = figures.map {
      "<div class=\"card\"><div class=\"name\">\(Markup.escaped($0.name))</div>"
        + "<div class=\"value\">\(Markup.escaped($0.value))</div>"
        + "<div class=\"note\">\(Markup.escaped($0.note))</div></div>"
    }
    body += "<div class=\"cards\">\n\(cards.joined(separator: "\n"))\n</div>\n"
  }

  /// Charts side by side where there is space, each with its caption.
  package mutating func add(charts: [(chart: any Chart, caption: String)]) {
    let figures = charts.map {
      "<figure>\($0.chart.markup)<figcaption>\(Markup.escaped($0.caption))</figcaption></figure>"
    }
    body += "<div class=\"charts\">\n\(figures.joined(separator: "\n"))\n</div>\n"
  }

  package mutating func add(table: MarkupTable) { body += table.markup }

  package var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
    <title>\(Markup.escaped(title))</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    <header><h1>\(Markup.escaped(title))</h1><p>\(Markup.escaped(subtitle))</p></header>
    <main>
    \(body)</main>
    </body>
    </html>

    """
  }

  private static let style = """
    :root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6570; --line: #d5dae0; --card: #f4f6f8;
      --back: #ffffff; --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #cc79a7; --c4: #b8860b; --c5: #56b4e9; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a2abb5; --line: #3a424b;
      --card: #20262c; --back: #14181c; --c0: #4aa8e0; --c1: #f08a4b; --c2: #35c79a; --c4: #e0b13a; } }
    * { box-sizing: border-box; }
    body { margin: 0 auto; max-width: 68rem; padding: 1.5rem 1rem 4rem; background: var(--back);
      color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
    h1 { font-size: 1.6rem; line-height: 1.2; margin: 0; }
    h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
    header p, figcaption, .note, .name { color: var(--soft); }
    header p { margin: .3rem 0 0; overflow-wrap: anywhere; }
    .cards { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
      margin-top: 1.2rem; }
    .card { background: var(--card); border-radius: .5rem; padding: .7rem .9rem; }
    .name, .note { font-size: .82rem; } .value { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
    .charts { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
    figure { margin: 0; } figcaption { font-size: .85rem; }
    svg { display: block; width: 100%; max-width: 30rem; height: auto; }
    svg text { font: 11px system-ui, sans-serif; fill: var(--ink); } svg .soft { fill: var(--soft); }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
    th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line);
      vertical-align: top; white-space: nowrap; }
    td.number, th.number { text-align: right; }
    td.wide { white-space: normal; min-width: 14rem; overflow-wrap: anywhere; }
    td img { display: block; border-radius: .25rem; max-width: none; }
    .notes { padding-left: 1.1rem; } .notes li { margin: .2rem 0; }
    @media print { body { max-width: none; } figure, .card { break-inside: avoid; } }
    """
}
