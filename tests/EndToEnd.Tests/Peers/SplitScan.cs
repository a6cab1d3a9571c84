namespace Danube.Fast.EndToEnd.Tests.Peers;

/// <summary>Scans the first of the bytes and returns its length, 0 = more is needed; <paramref name="text"/> describes what was found.</summary>
internal delegate int ScanOne(ReadOnlySpan<byte> bytes, out string text);

/// <summary>Feeds a scanner as a socket does: a first part, then the rest, for every place at which the bytes can be split.</summary>
internal static class SplitScan
{
    public static void AssertSame(byte[] bytes, string[] expected, ScanOne scan)
    {
        for (int split = 0; split <= bytes.Length; split++)
        {
            var found = new List<string>();
            int at = 0;
            foreach (int end in new[] { split, bytes.Length })
            {
                int length;
                while (at < end && (length = scan(bytes.AsSpan(at, end - at), out string text)) > 0)
                {
                    found.Add(text);
                    at += length;
                }
            }

            Assert.Equal(bytes.Length, at);
            Assert.Equal(expected, found);
        }
    }
}
