using System.Text;

namespace Danube.Fast.Core.Tests;

public sealed class RegistryTests
{
    private readonly MetricRegistry _registry = new();

    [Fact]
    public void Families_are_read_in_the_order_of_their_registration()
    {
        _registry.Counter("a", "x_total", "Help.", [], (_, sink) => sink.Sample(LabelSet.None, 1));
        _registry.Gauge("b", "y", "Help.", ["topic"], (_, _) => { });
        Assert.Equal(["x_total", "y"], _registry.Families.Select(f => f.Name));
        Assert.Equal([false, true], _registry.Families.Select(f => f.IsPerTopic));
    }

    [Fact]
    public void A_name_is_taken_once_and_a_counter_is_named_as_one()
    {
        _registry.Gauge("a", "x", "Help.", [], (_, _) => { });
        Assert.Throws<ArgumentException>(() => _registry.Histogram("b", "x", "Help.", [], (_, _) => { }));
        Assert.Throws<ArgumentException>(() => _registry.Counter("b", "y", "Help.", [], (_, _) => { }));
    }

    [Fact]
    public void Labels_are_escaped_and_encoded_once()
    {
        var labels = new LabelSet(["a", "b"], "x\"\\\n", "ü");
        Assert.Equal("a=\"x\\\"\\\\\\n\",b=\"ü\"", Encoding.UTF8.GetString(labels.Text));
        Assert.True(labels.Text == labels.Text);
        Assert.Equal("ü", labels.Tags[1].Value);
        Assert.Throws<ArgumentException>(() => new LabelSet(["a"], "x", "y"));
    }

    [Fact]
    public void What_families_share_is_taken_once_per_reading()
    {
        int taken = 0;
        var reading = new MetricReading();
        object part = new();
        Assert.Same(reading.Share(part, Take), reading.Share(part, Take));
        Assert.Equal(1, taken);
        new MetricReading().Share(part, Take);
        Assert.Equal(2, taken);

        object Take(MetricReading _)
        {
            taken++;
            return new object();
        }
    }
}
