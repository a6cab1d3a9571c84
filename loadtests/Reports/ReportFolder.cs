using Danube.Fast.LoadTests.Runs;

namespace Danube.Fast.LoadTests.Reports;

/// <summary>The files of a run.</summary>
public static class ReportFolder
{
    /// <summary>Writes <c>report.html</c>, <c>report.md</c>, <c>report.csv</c>, <c>timeline.csv</c> and <c>report.json</c> into a folder named like the scenario.</summary>
    /// <returns>That folder.</returns>
    public static DirectoryInfo Write(DirectoryInfo parent, RunReport run)
    {
        DirectoryInfo folder = parent.CreateSubdirectory(run.Name);
        File.WriteAllText(Path.Combine(folder.FullName, "report.html"), HtmlReport.Of(run));
        File.WriteAllText(Path.Combine(folder.FullName, "report.md"), MarkdownReport.Of(run));
        File.WriteAllText(Path.Combine(folder.FullName, "report.csv"), CsvReport.Steps(run));
        File.WriteAllText(Path.Combine(folder.FullName, "timeline.csv"), CsvReport.Timeline(run));
        File.WriteAllText(Path.Combine(folder.FullName, "report.json"), JsonReport.Of(run));
        return folder;
    }
}
