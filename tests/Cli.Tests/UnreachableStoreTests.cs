using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Tests;

/// <summary>Producing while no broker can prove that it owns the topic: the person at the terminal is told what is waited for, and it goes on by itself.</summary>
public sealed class UnreachableStoreTests
{
    [Fact]
    public async Task Produce_says_what_it_waits_for_while_the_metadata_store_is_away()
    {
        const string Topic = "/p/waits";
        await using TwoBrokers two = await TwoBrokers.StartAsync();
        await using (DanubeClient client = await DanubeClient.ConnectAsync(two.Url))
        {
            await client.CreateTopicAsync(new TopicSpec { Topic = Topic, Durability = "os" });
        }

        Assert.Equal(CliCommandLine.Success, (await two.CliAsync($"produce --topic {Topic} -m before")).ExitCode);
        two.CutStore();
        var said = new StringWriter();
        TextWriter lines = TextWriter.Synchronized(said);
        Task<int> producing = Produce();
        await TwoBrokers.UntilAsync("it says what it waits for", async () =>
        {
            // As long as the last proof lasts, messages are acknowledged.
            if (producing.IsCompleted && await producing == CliCommandLine.Success)
            {
                producing = Produce();
            }

            return Said().Contains("waiting for ", StringComparison.Ordinal) || Said().Contains("owner_unproven", StringComparison.Ordinal);
        });
        Assert.All(Said().Split('\n', StringSplitOptions.RemoveEmptyEntries), l => Assert.StartsWith("danube-cli: ", l, StringComparison.Ordinal));
        two.MendStore();

        // What waited is stored, or was refused with a sentence after half a minute; the next one passes.
        await producing.WaitAsync(TimeSpan.FromSeconds(120));
        await TwoBrokers.UntilAsync("messages are stored again", async () => (await two.CliAsync($"produce --topic {Topic} -m after")).ExitCode == CliCommandLine.Success);

        string Said()
        {
            lock (lines)
            {
                return said.ToString(); // The writer locks itself.
            }
        }

        Task<int> Produce() => Task.Run(() => CliCommandLine.RunAsync(["produce", "--topic", Topic, "-m", "held", "--url", two.Url], TextWriter.Null, lines));
    }
}
