using System.Text;
using Danube.Fast.Cli.Produce;

namespace Danube.Fast.Cli.Tests;

public sealed class LineReaderTests
{
    private const int Seed = 20_260_101;

    [Theory]
    [InlineData("", new string[0])]
    [InlineData("\n", new[] { "" })]
    [InlineData("a", new[] { "a" })]
    [InlineData("a\n", new[] { "a" })]
    [InlineData("a\n\nb", new[] { "a", "", "b" })]
    [InlineData("a\r\nb\0c\n", new[] { "a\r", "b\0c" })]
    public async Task Lines_are_what_stands_between_newlines(string text, string[] expected)
    {
        Assert.Equal(expected, (await ReadAsync(Encoding.Latin1.GetBytes(text), int.MaxValue)).Select(Encoding.Latin1.GetString));
    }

    [Fact]
    public async Task The_size_of_the_pieces_does_not_matter()
    {
        var random = new Random(Seed);
        for (int round = 0; round < 200; round++)
        {
            var bytes = new byte[random.Next(0, 400)];
            random.NextBytes(bytes);
            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = random.Next(8) == 0 ? (byte)'\n' : bytes[i];
            }

            List<byte[]> whole = await ReadAsync(bytes, int.MaxValue);
            List<byte[]> pieces = await ReadAsync(bytes, random.Next(1, 20));
            Assert.Equal(whole, pieces);
            byte[] joined = [.. whole.SelectMany(l => l.Append((byte)'\n'))];
            Assert.Equal(bytes.Length > 0 && bytes[^1] != '\n' ? [.. bytes, (byte)'\n'] : bytes, joined);
        }
    }

    [Fact]
    public async Task Lines_longer_than_the_first_buffer_are_read_whole()
    {
        byte[] line = new byte[3_000_000];
        Array.Fill(line, (byte)'x');
        List<byte[]> lines = await ReadAsync([.. line, (byte)'\n', (byte)'y'], 100_000);
        Assert.Equal([line.Length, 1], lines.Select(l => l.Length));
    }

    [Fact]
    public async Task A_line_over_the_limit_is_an_error_that_names_it()
    {
        byte[] text = Encoding.ASCII.GetBytes("short\n" + new string('x', 101) + "\n");
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(text, int.MaxValue, maxLineBytes: 100));
        Assert.Contains("Line 2", e.Message, StringComparison.Ordinal);
        byte[] endless = new byte[3_000_000];
        await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(endless, 100_000, maxLineBytes: 1_500_000));
    }

    [Fact]
    public async Task A_wait_for_input_that_never_comes_can_be_cancelled()
    {
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream();
        using var input = new System.IO.Pipes.AnonymousPipeClientStream(pipe.GetClientHandleAsString());
        using var cancel = new CancellationTokenSource();
        var reader = new LineReader(input, 100);
        Task<bool> reading = reader.FillAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(TimeSpan.FromSeconds(60)));
        pipe.DisposeLocalCopyOfClientHandle();
    }

    private static async Task<List<byte[]>> ReadAsync(byte[] bytes, int pieceBytes, int maxLineBytes = int.MaxValue)
    {
        var reader = new LineReader(new PiecewiseStream(bytes, pieceBytes), maxLineBytes);
        var lines = new List<byte[]>();
        while (await reader.FillAsync(CancellationToken.None))
        {
            while (reader.TryRead(out ReadOnlyMemory<byte> line))
            {
                lines.Add(line.ToArray());
            }
        }

        Assert.Equal(bytes.Length, reader.BytesRead);
        Assert.Equal(lines.Count, reader.LineNumber);
        return lines;
    }

    /// <summary>Gives a few bytes per read, as a pipe does.</summary>
    private sealed class PiecewiseStream(byte[] bytes, int pieceBytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, pieceBytes)], cancellationToken);
    }
}
