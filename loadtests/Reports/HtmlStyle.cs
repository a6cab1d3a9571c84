namespace Danube.Fast.LoadTests.Reports;

/// <summary>The style sheet of the HTML report, light and dark.</summary>
internal static class HtmlStyle
{
    public const string Css = """
        :root { --bg: #f6f7f9; --card: #ffffff; --text: #1c2430; --soft: #667085; --line: #e4e7ec; --grid: #edf0f4; --good: #067647; --goodbg: #dcfae6; --bad: #b42318; --badbg: #fee4e2; --mid: #93370d; --midbg: #fef0c7;
          --c0: #2563eb; --c1: #dc2626; --c2: #d97706; --c3: #059669; --c4: #7c3aed; --c5: #0891b2; --c6: #db2777; --c7: #65a30d; --c8: #92400e; --c9: #98a2b3; }
        @media (prefers-color-scheme: dark) { :root { --bg: #10141b; --card: #1a202b; --text: #e6eaf0; --soft: #98a2b3; --line: #2c3442; --grid: #252d3a; --good: #75e0a7; --goodbg: #053321; --bad: #fda29b; --badbg: #55160c;
          --mid: #fedf89; --midbg: #4e1d09; --c0: #6ea0ff; --c1: #ff7b72; --c2: #f5b04c; --c3: #4cd6a0; --c4: #b79bff; --c5: #4fd1e8; --c6: #ff8ac4; --c7: #a8d65c; --c8: #d9a06b; --c9: #667085; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--bg); color: var(--text); font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
        main { max-width: 1240px; margin: 0 auto; padding: 28px 24px 48px; }
        header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 12px; }
        h1 { margin: 0; font-size: 26px; letter-spacing: -0.01em; }
        h2 { margin: 34px 0 10px; font-size: 16px; }
        p.sub { margin: 4px 0 18px; color: var(--soft); }
        .badge { padding: 3px 12px; border-radius: 999px; font-size: 13px; font-weight: 700; letter-spacing: 0.03em; }
        .good { color: var(--good); background: var(--goodbg); } .bad { color: var(--bad); background: var(--badbg); } .mid { color: var(--mid); background: var(--midbg); }
        .faults { border-left: 4px solid var(--bad); background: var(--badbg); color: var(--bad); padding: 10px 16px; border-radius: 6px; margin: 0 0 18px; }
        .faults ul { margin: 4px 0 0; padding-left: 18px; }
        .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px; }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
        .card b { display: block; font-size: 21px; font-weight: 650; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; white-space: nowrap; }
        .card span { color: var(--soft); font-size: 12.5px; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(480px, 1fr)); gap: 14px; }
        figure.chart { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px 6px; min-width: 0; }
        figcaption { font-weight: 650; } .unit { color: var(--soft); font-weight: 400; font-size: 12.5px; }
        .legend { display: flex; flex-wrap: wrap; gap: 2px 14px; color: var(--soft); font-size: 12.5px; min-height: 20px; }
        .legend i { display: inline-block; width: 14px; height: 3px; border-radius: 2px; vertical-align: middle; margin-right: 6px; }
        svg { display: block; width: 100%; height: auto; }
        .grid { stroke: var(--grid); } .axis { stroke: var(--line); } .mark { stroke: var(--soft); stroke-dasharray: 4 3; }
        .tick { fill: var(--soft); font-size: 10.5px; font-variant-numeric: tabular-nums; }
        polyline { fill: none; stroke-width: 1.7; stroke-linejoin: round; stroke-linecap: round; }
        .hover { fill: transparent; } .hover:hover { fill: var(--soft); fill-opacity: 0.16; }
        .scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { padding: 7px 12px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
        tr:last-child td { border-bottom: 0; }
        th { color: var(--soft); font-weight: 600; font-size: 12.5px; }
        th:first-child, td:first-child { text-align: left; } td.wrap { white-space: normal; text-align: left; } th.wrap { text-align: left; }
        tr.head td { font-weight: 650; }
        .two { display: grid; grid-template-columns: repeat(auto-fit, minmax(380px, 1fr)); gap: 0 20px; }
        td.key { color: var(--soft); } td.value { text-align: left; white-space: normal; }
        footer { margin-top: 30px; color: var(--soft); font-size: 12.5px; }
        @media print { body { background: #fff; } .card, figure.chart, .scroll { break-inside: avoid; } }

        """;

    /// <summary>Rules for the colours of lines, dots and legend keys.</summary>
    public static string Colors() => string.Concat(Enumerable.Range(0, 10).Select(i => $".s{i} {{ stroke: var(--c{i}); }} .f{i} {{ fill: var(--c{i}); }} .k{i} {{ background: var(--c{i}); }}\n"));
}
