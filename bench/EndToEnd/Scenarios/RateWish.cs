using System.Globalization;

namespace Danube.Fast.Bench.Scenarios;

/// <summary>The rate that a run was asked for.</summary>
/// <param name="PerSecond">Messages per second of all producers; 0 when it is not a fixed one.</param>
/// <param name="ShareOfHighest">Above 0: this share of the highest rate, which is measured first.</param>
public readonly record struct RateWish(double PerSecond, double ShareOfHighest)
{
    /// <summary>As fast as it goes.</summary>
    public bool IsMax => PerSecond == 0 && ShareOfHighest == 0;

    /// <summary>Takes <c>max</c>, <c>half</c>, a percentage of the highest rate (<c>80%</c>), or messages per second (<c>50000</c>, <c>50k</c>, <c>1.5m</c>).</summary>
    public static bool TryParse(string text, out RateWish wish)
    {
        wish = default;
        if (text is "max" or "half")
        {
            wish = new RateWish(0, text == "half" ? 0.5 : 0);
            return true;
        }

        if (text.Length == 0)
        {
            return false;
        }

        double factor = char.ToLowerInvariant(text[^1]) switch { 'k' => 1e3, 'm' => 1e6, '%' => 0.01, _ => 0 };
        ReadOnlySpan<char> digits = factor > 0 ? text.AsSpan(0, text.Length - 1) : text;
        if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) || number <= 0)
        {
            return false;
        }

        number *= factor > 0 ? factor : 1;
        wish = text[^1] == '%' ? new RateWish(0, number) : new RateWish(number, 0);
        return true;
    }
}
