namespace Danube.Fast.Server.Topics;

/// <summary>
/// Ids of topics in a cluster: the create revision of the topic's record, so that a topic which is deleted and created again has another
/// one, and above it the record's place in the transaction that made it, because all records of one transaction share a revision.
/// </summary>
internal static class TopicIds
{
    private const int RevisionBits = 48;
    private const ulong RevisionMask = (1UL << RevisionBits) - 1;

    /// <param name="createdRevision">Create revision of the record.</param>
    /// <param name="slot">Place in its transaction, 0 to 127.</param>
    public static ulong Of(long createdRevision, int slot) => (ulong)createdRevision | ((ulong)slot << RevisionBits);

    /// <summary>The create revision that the id contains.</summary>
    public static long CreatedRevision(ulong topicId) => (long)(topicId & RevisionMask);

    /// <inheritdoc cref="CreatedRevision(ulong)"/>
    public static long CreatedRevision(long topicId) => CreatedRevision((ulong)topicId);
}
