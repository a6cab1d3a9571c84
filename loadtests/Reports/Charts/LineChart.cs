using System.Globalization;
using System.Net;
using System.Text;

namespace Danube.Fast.LoadTests.Reports.Charts;

/// <summary>A line of a chart. A point that is not a number is a gap.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Color">Index of the colour in the style sheet, 0 to 9.</param>
/// <param name="Values">One for each x of the chart.</param>
public sealed record ChartSeries(string Name, int Color, IReadOnlyList<double> Values);

/// <summary>A line chart as inline SVG with a legend. Hovering shows the values of the moment; nothing is loaded and nothing is scripted.</summary>
public sealed class LineChart
{
    private const double Width = 560, Height = 250, Left = 58, Right = 24, Top = 8, Bottom = 34;

    public required string Title { get; init; }

    /// <summary>What the y axis counts, for example ms.</summary>
    public required string Unit { get; init; }
    public required IReadOnlyList<double> Xs { get; init; }
    public required IReadOnlyList<ChartSeries> Series { get; init; }
    public required Axis XAxis { get; init; }
    public required Axis YAxis { get; init; }
    public required Func<double, string> XText { get; init; }
    public required Func<double, string> YText { get; init; }
    public string XTitle { get; init; } = "";

    /// <summary>Where the load ended, on the x axis; null = no mark.</summary>
    public double? Mark { get; init; }

    /// <summary>Appends a figure element.</summary>
    public void Render(StringBuilder html)
    {
        html.Append($"<figure class=\"chart\"><figcaption>{Encode(Title)} <span class=\"unit\">{Encode(Unit)}</span></figcaption><div class=\"legend\">");
        foreach (ChartSeries series in Series)
        {
            html.Append($"<span><i class=\"k{series.Color}\"></i>{Encode(series.Name)}</span>");
        }

        html.Append(CultureInfo.InvariantCulture, $"</div><svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Encode(Title)}\">");
        RenderAxes(html);
        foreach (ChartSeries series in Series)
        {
            RenderLine(html, series);
        }

        RenderHover(html);
        html.Append("</svg></figure>\n");
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    private static string P(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    private double X(double value) => Left + (XAxis.Position(value) * (Width - Left - Right));

    private double Y(double value) => Height - Bottom - (YAxis.Position(value) * (Height - Top - Bottom));

    private void RenderAxes(StringBuilder html)
    {
        foreach (double tick in YAxis.Ticks)
        {
            string y = P(Y(tick));
            html.Append($"<line class=\"grid\" x1=\"{P(Left)}\" x2=\"{P(Width - Right)}\" y1=\"{y}\" y2=\"{y}\"/>");
            html.Append($"<text class=\"tick\" x=\"{P(Left - 6)}\" y=\"{P(Y(tick) + 3.5)}\" text-anchor=\"end\">{Encode(YText(tick))}</text>");
        }

        foreach (double tick in XAxis.Ticks)
        {
            html.Append($"<text class=\"tick\" x=\"{P(X(tick))}\" y=\"{P(Height - Bottom + 14)}\" text-anchor=\"middle\">{Encode(XText(tick))}</text>");
        }

        html.Append($"<line class=\"axis\" x1=\"{P(Left)}\" x2=\"{P(Width - Right)}\" y1=\"{P(Height - Bottom)}\" y2=\"{P(Height - Bottom)}\"/>");
        html.Append($"<text class=\"tick\" x=\"{P((Left + Width - Right) / 2)}\" y=\"{P(Height - 4)}\" text-anchor=\"middle\">{Encode(XTitle)}</text>");
        if (Mark is { } mark)
        {
            html.Append($"<line class=\"mark\" x1=\"{P(X(mark))}\" x2=\"{P(X(mark))}\" y1=\"{P(Top)}\" y2=\"{P(Height - Bottom)}\"><title>end of the load</title></line>");
        }
    }

    private void RenderLine(StringBuilder html, ChartSeries series)
    {
        var points = new StringBuilder();
        int drawn = 0;
        for (int i = 0; i <= series.Values.Count; i++)
        {
            if (i < series.Values.Count && double.IsFinite(series.Values[i]))
            {
                points.Append($"{P(X(Xs[i]))},{P(Y(series.Values[i]))} ");
                drawn++;
            }
            else if (drawn == 1)
            {
                string[] at = points.ToString().Trim().Split(',');
                html.Append($"<circle class=\"f{series.Color}\" cx=\"{at[0]}\" cy=\"{at[1]}\" r=\"2\"/>");
                drawn = 0;
                points.Clear();
            }
            else if (drawn > 1)
            {
                html.Append($"<polyline class=\"s{series.Color}\" points=\"{points.ToString().TrimEnd()}\"/>");
                drawn = 0;
                points.Clear();
            }
        }
    }

    // A strip around each x, with the values in its title.
    private void RenderHover(StringBuilder html)
    {
        for (int i = 0; i < Xs.Count; i++)
        {
            double from = i == 0 ? X(Xs[i]) - 4 : (X(Xs[i - 1]) + X(Xs[i])) / 2, to = i == Xs.Count - 1 ? X(Xs[i]) + 4 : (X(Xs[i]) + X(Xs[i + 1])) / 2;
            int at = i;
            IEnumerable<string> values = Series.Where(s => at < s.Values.Count && double.IsFinite(s.Values[at])).Select(s => $"{s.Name}: {YText(s.Values[at])} {Unit}");
            html.Append($"<rect class=\"hover\" x=\"{P(from)}\" y=\"{P(Top)}\" width=\"{P(Math.Max(0.5, to - from))}\" height=\"{P(Height - Top - Bottom)}\">");
            html.Append($"<title>{Encode($"{XText(Xs[i])} {XTitle}\n{string.Join('\n', values)}")}</title></rect>");
        }
    }
}
