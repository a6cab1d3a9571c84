using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>Answer of <see cref="Topic.PeekAsync"/>.</summary>
/// <param name="Error">Why nothing can be shown; None otherwise.</param>
/// <param name="Text">A sentence for the error.</param>
/// <param name="Messages">In offset order.</param>
public readonly record struct PeekResult(ErrorCode Error, string Text, MessageBody[] Messages);
