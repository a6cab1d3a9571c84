namespace Danube.Fast.LoadManager.Tests;

/// <summary>Native or container is chosen by what is there.</summary>
public sealed class DetectionTests
{
    [Theory]
    [InlineData(".dockerenv")]
    [InlineData("run/.containerenv")]
    [InlineData("var/run/secrets/kubernetes.io/serviceaccount/token")]
    public void A_file_shows_a_container(string path)
    {
        using SystemTree tree = SystemTree.Of("native");
        tree.Write(path, "");
        Assert.StartsWith("container", tree.Monitor().Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Kubernetes_variables_show_a_container()
    {
        using SystemTree tree = SystemTree.Of("native");
        tree.Variables["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
        Assert.StartsWith("container on Linux (KUBERNETES_SERVICE_HOST is set)", tree.Monitor().Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sys/fs/cgroup/user.slice/user-0.slice/cpu.max", "150000 100000\n")]
    [InlineData("sys/fs/cgroup/user.slice/memory.max", "4000000000\n")]
    public void A_limit_below_the_machine_shows_a_container(string path, string text)
    {
        using SystemTree tree = SystemTree.Of("native");
        tree.Write(path, text);
        Assert.StartsWith("container", tree.Monitor().Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sys/fs/cgroup/user.slice/user-0.slice/cpu.max", "800000 100000\n")]
    [InlineData("sys/fs/cgroup/user.slice/user-0.slice/memory.max", "9000000000\n")]
    public void A_limit_above_the_machine_is_none(string path, string text)
    {
        using SystemTree tree = SystemTree.Of("native");
        tree.Write(path, text);
        Assert.StartsWith("native", tree.Monitor().Description, StringComparison.Ordinal);
    }

    [Fact]
    public void A_container_without_control_groups_is_read_from_proc()
    {
        using SystemTree tree = SystemTree.Of("machine");
        tree.Write("proc/self/mountinfo", "27 1 259:1 / / rw - ext4 /dev/nvme0n1p1 rw\n");
        tree.Write(".dockerenv", "");
        Assert.StartsWith("native", tree.Monitor().Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_list_of_mounts_the_usual_folders_are_tried()
    {
        using SystemTree tree = SystemTree.Of("docker-v2");
        tree.Delete("proc/self/mountinfo");
        tree.Delete("proc/self/cgroup");
        IResourceMonitor monitor = tree.Monitor();
        Assert.StartsWith("container", monitor.Description, StringComparison.Ordinal);
        Assert.Equal(2, monitor.ReadCapacity().Cores);
        // The device is not known then: all that the group accounts counts.
        monitor.Collect();
        tree.Clock.Advance(1);
        tree.Replace("sys/fs/cgroup/io.stat", "wbytes=888", "wbytes=1888");
        Assert.Equal(new DiskIoStats(0, 1000), monitor.Collect().DiskIo);
    }

    [Fact]
    public void Version_1_is_found_in_the_usual_folders_too()
    {
        using SystemTree tree = SystemTree.Of("v1-unlimited");
        tree.Delete("proc/self/mountinfo");
        IResourceMonitor monitor = tree.Monitor();
        Assert.Contains("version 1", monitor.Description, StringComparison.Ordinal);
        monitor.Collect();
        tree.Clock.Advance(10);
        tree.Write("sys/fs/cgroup/cpuacct/cpuacct.usage", "10000000000\n");
        Assert.Equal(12.5, monitor.Collect().CpuPercent!.Value, 0.01);
    }

    [Fact]
    public void The_longest_mount_above_the_data_folder_names_the_device()
    {
        using SystemTree tree = SystemTree.Of("native");
        File.AppendAllText(Path.Combine(tree.Root, "proc/self/mountinfo"), "50 27 8:0 / /srv/danube-data rw - ext4 /dev/sda rw\n51 27 8:9 / /srv/danube rw - ext4 /dev/sdz rw\n");
        Assert.Contains("of device 8:0", tree.Monitor().Description, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_system_with_a_number_of_its_own_is_found_by_its_source()
    {
        using SystemTree tree = SystemTree.Of("native");
        File.AppendAllText(Path.Combine(tree.Root, "proc/self/mountinfo"), "50 27 0:44 /@data /srv/danube-data rw - btrfs /dev/nvme0n1p1 rw\n");
        Assert.Contains("of device 259:1", tree.Monitor().Description, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_a_device_is_measured_by_the_process()
    {
        using SystemTree tree = SystemTree.Of("native");
        File.AppendAllText(Path.Combine(tree.Root, "proc/self/mountinfo"), "50 27 0:44 / /srv/danube-data rw - tmpfs tmpfs rw\n");
        Assert.Contains("disk of the process", tree.Monitor().Description, StringComparison.Ordinal);
    }
}
