using System.Text.Json;

namespace Danube.Fast.Protocol.Tests;

public sealed class ControlJsonTests
{
    /// <summary>Every payload from <c>{}</c>: absent members have the defaults of a new object.</summary>
    [Fact]
    public void Absent_members_take_their_defaults()
    {
        foreach (Type type in Payloads())
        {
            object expected = Activator.CreateInstance(type)!, read = JsonSerializer.Deserialize("{}", type, ControlJson.Default)!;
            Assert.Equal(JsonSerializer.Serialize(expected, type, ControlJson.Default), JsonSerializer.Serialize(read, type, ControlJson.Default));
        }

        SubscribeRequest subscribe = JsonSerializer.Deserialize("{\"topic\":\"/a/b\"}", ControlJson.Default.SubscribeRequest)!;
        Assert.Equal(("/a/b", "", "exclusive", "latest"), (subscribe.Topic, subscribe.ConsumerName, subscribe.Type, subscribe.Start));
        Assert.Equal([1, 2], JsonSerializer.Deserialize("{}", ControlJson.Default.HelloPayload)!.Versions);
    }

    [Fact]
    public void Unknown_members_and_stray_nulls_are_refused()
    {
        foreach (Type type in Payloads())
        {
            Assert.Throws<JsonException>(() => JsonSerializer.Deserialize("{\"no_such_member\":1}", type, ControlJson.Default));
        }

        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize("{\"topic\":null}", ControlJson.Default.TopicRequest));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize("{\"versions\":null}", ControlJson.Default.HelloPayload));
        Assert.Null(JsonSerializer.Deserialize("{\"durability\":null}", ControlJson.Default.TopicSpec)!.Durability);
    }

    private static IEnumerable<Type> Payloads() =>
        typeof(Commands).Assembly.GetTypes().Where(type => type.IsPublic && type.GetMethod("<Clone>$") is not null && typeof(ControlJson).GetProperty(type.Name) is not null);
}
