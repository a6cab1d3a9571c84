using System.Text;

namespace Danube.Fast.Metadata.Tests.Etcd;

/// <summary>A real etcd that is put back to an older copy of itself: what the cluster counts on then.</summary>
public sealed class EtcdRestoreTests
{
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(100);

    [Fact]
    public async Task After_a_restore_revisions_come_again_leases_live_on_and_a_view_shows_what_is_there()
    {
        await using EtcdProcess etcd = await EtcdProcess.StartSingleAsync();
        string copy = Path.Combine(Path.GetTempPath(), $"danube-etcd-{Guid.NewGuid():n}.copy");
        try
        {
            await using var store = new EtcdMetadataStore(new EtcdOptions { Endpoints = [etcd.Endpoint], Prefix = "/restored" });
            MetadataLease lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(100));
            Assert.True((await store.CommitAsync(new MetadataTransaction().IfAbsent("/v/member").Put("/v/member", "m"u8.ToArray(), lease.Id))).IsDone);
            await store.PutAsync("/v/stays", Bytes("old"));
            await using MetadataView view = await MetadataView.OpenAsync(store, "", new MetadataViewOptions { ReconcileInterval = TimeSpan.FromHours(1), WatchIdleLimit = TimeSpan.FromHours(2) }, _ => { });
            await etcd.SaveAsync(copy);
            long then = (await store.ListAsync("/v/")).Revision;
            await store.PutAsync("/v/stays", Bytes("new"));
            for (int i = 0; i < 5; i++)
            {
                await store.PutAsync("/v/late", Bytes("new"));
            }

            long lost = (await store.ListAsync("/v/")).Revision;
            await view.WaitForRevisionAsync(lost).WaitAsync(HangGuard);
            await etcd.KillAsync();
            await etcd.RestoreAsync(copy);
            await etcd.StartAsync();

            // What ProveAsync of a broker sees: its key with the same create revision, at a revision that it knows to be old.
            MetadataListing listing = await store.ListAsync("/v/member");
            Assert.True(listing.Revision < lost, $"{listing.Revision} is not below {lost}");
            Assert.True(listing.Revision >= then);
            Assert.Equal(lease.Id, Assert.Single(listing.Entries).LeaseId);
            Assert.True(await store.RenewLeaseAsync(lease.Id));

            MetadataSnapshot seen = await view.CompareAsync().WaitAsync(HangGuard);
            Assert.Equal(("old", null), (Encoding.UTF8.GetString(seen.Find("/v/stays")!.Value.Span), seen.Find("/v/late")));

            // The next changes are told, though their revisions were told before; what the lease of that time carries goes with it.
            await store.PutAsync("/v/next", Bytes("new"));
            Assert.True(await store.RevokeLeaseAsync(lease.Id));
            using var guard = new CancellationTokenSource(HangGuard);
            while (view.Snapshot.Find("/v/next") is null || view.Snapshot.Find("/v/member") is not null)
            {
                await Task.Delay(20, guard.Token);
            }
        }
        finally
        {
            File.Delete(copy);
        }
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
