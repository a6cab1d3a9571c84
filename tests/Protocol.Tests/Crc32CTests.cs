namespace Danube.Fast.Protocol.Tests;

public sealed class Crc32CTests
{
    private static readonly byte[] Data = MakeData();

    [Theory]
    [InlineData("", 0x00000000u)]
    [InlineData("a", 0xC1D04330u)]
    [InlineData("abc", 0x364B3FB7u)]
    [InlineData("123456789", 0xE3069283u)]
    [InlineData("The quick brown fox jumps over the lazy dog", 0x22620404u)]
    public void Known_values(string text, uint expected) => Assert.Equal(expected, Crc32C.Compute(System.Text.Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Known_values_of_rfc_3720()
    {
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute([.. Enumerable.Repeat((byte)0xFF, 32)]));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
    }

    /// <summary>All lengths around every lane size, at every alignment, against the bitwise definition.</summary>
    [Fact]
    public void Every_length_and_alignment_gives_the_bitwise_value()
    {
        for (int length = 0; length <= 1700; length++)
        {
            int start = length % 16;
            Assert.Equal(Bitwise(Data.AsSpan(start, length)), Crc32C.Compute(Data.AsSpan(start, length)));
        }

        foreach (int length in new[] { 6143, 6144, 6145, 6144 + 767, 6144 + 768, 6144 + 768 + 120 + 7, 12288, 70_001 })
        {
            for (int start = 0; start < 8; start++)
            {
                Assert.Equal(Bitwise(Data.AsSpan(start, length)), Crc32C.Compute(Data.AsSpan(start, length)));
            }
        }
    }

    [Fact]
    public void Parts_give_the_value_of_the_whole()
    {
        var random = new Random(3);
        for (int round = 0; round < 500; round++)
        {
            int length = random.Next(0, 9000), cut = random.Next(0, length + 1), second = random.Next(cut, length + 1);
            uint state = Crc32C.Update(Crc32C.Seed, Data.AsSpan(0, cut));
            state = Crc32C.Update(state, Data.AsSpan(cut, second - cut));
            state = Crc32C.Update(state, Data.AsSpan(second, length - second));
            Assert.Equal(Bitwise(Data.AsSpan(0, length)), Crc32C.Finish(state));
        }
    }

    private static uint Bitwise(ReadOnlySpan<byte> data)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
            }
        }

        return ~crc;
    }

    private static byte[] MakeData()
    {
        var data = new byte[80_000];
        new Random(1).NextBytes(data);
        return data;
    }
}
