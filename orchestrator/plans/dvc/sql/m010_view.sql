-- One line for each case and active deadline. Tasks and feedback are counted each by itself: joined side by side, three
-- tasks and four answers made twelve of either.

CREATE VIEW dbo.v_casestatuscomplete AS
SELECT
    h.hosoid,
    h.sohoso,
    h.tinhtrangxuly AS currentstatus,
    h.ngaynop AS submitteddate,
    h.ngayhentra AS duedate,
    t.tentthc AS procedurename,
    o.officename,
    submitter.fullname AS submittername,
    processor.fullname AS processorname,
    st.slastatus,
    st.remaininghours,
    st.isbreached AS slabreached,
    coalesce(tasks.active, 0) AS activetasks,
    coalesce(feedback.answers, 0) AS feedbackcount,
    feedback.average AS averagerating
FROM "case".hoso AS h
JOIN tthc.thu_tuc AS t ON t.tthcid = h.tthcid
JOIN system.office AS o ON o.officeid = h.donvitiepnhan
LEFT JOIN identity.user_profile AS submitter ON submitter.userid = h.nguoinophoso
LEFT JOIN identity.user_profile AS processor ON processor.userid = h.canboxuly
LEFT JOIN "case".sla_tracking AS st ON st.hosoid = h.hosoid AND st.isactive
LEFT JOIN LATERAL (
    SELECT count(*) AS active
    FROM "case".task_assignment AS ta
    WHERE ta.hosoid = h.hosoid AND ta.status IN ('Assigned', 'InProgress')
) AS tasks ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS answers, avg(cf.overallrating)::numeric(5,2) AS average
    FROM "case".citizen_feedback AS cf
    WHERE cf.hosoid = h.hosoid
) AS feedback ON true;
