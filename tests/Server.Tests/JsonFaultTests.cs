using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>What is said about JSON that is not what a request takes.</summary>
public sealed class JsonFaultTests
{
    [Theory]
    [InlineData("{\"max_producers\":99999999999}", "a value has the wrong type, or is out of range (at $.max_producers)")]
    [InlineData("5", "a value has the wrong type, or is out of range")]
    [InlineData("{\"colour\":1}", "there is no member 'colour'")]
    public void The_sentence_names_no_type_of_the_broker(string json, string sentence)
    {
        JsonException fault = Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(json, ControlJson.Default.TopicPolicy));
        Assert.StartsWith(sentence, JsonFault.Describe(fault), StringComparison.Ordinal);
    }
}
